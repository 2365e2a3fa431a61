"""`smfg reform`: what a policy would do against another, who gains and who loses, and how sure that is."""
