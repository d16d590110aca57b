-- What restores replaced is looked through every minute, and few tenants have any.
CREATE INDEX tenants_with_replaced ON tenants (tenant_id) WHERE acts ? 'replaced';
