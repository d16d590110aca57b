-- Who is known to be degraded is asked every half a minute, and few are.
CREATE INDEX tenants_degraded ON tenants (tenant_id) WHERE acts ? 'degraded';
