-- Somebody's role may be changed, and the provider it is for (ecm/api/account_roles.sql).
GRANT UPDATE (provider_ref, role) ON accounts TO ecm_web;
