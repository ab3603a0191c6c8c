"""Who somebody is, and how sure we may be: passkeys, codes from an app, and what each way in is worth.

No SQL and no HTTP: the doors (`ecm.api`) keep what these say is to be kept.
"""
