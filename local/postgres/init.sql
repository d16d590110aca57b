-- Runs once, on an empty cluster: the control plane's role and database, those of the Identity API, nothing for PUBLIC.
\set control_password `cat /run/deeplens/control-db-password`
\set identity_password `cat /run/deeplens/identity-db-password`
CREATE ROLE deeplens_control LOGIN PASSWORD :'control_password';
CREATE ROLE deeplens_identity LOGIN PASSWORD :'identity_password';
CREATE DATABASE deeplens_control OWNER deeplens_control;
CREATE DATABASE deeplens_identity OWNER deeplens_identity;

-- PUBLIC may connect to no database: a tenant's role reaches its own and no other, not even to look at names.
REVOKE ALL ON DATABASE deeplens_control, deeplens_identity, postgres, template1, template0 FROM PUBLIC;

\connect deeplens_control
REVOKE ALL ON SCHEMA public FROM PUBLIC;
\connect deeplens_identity
ALTER SCHEMA public OWNER TO deeplens_identity;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
