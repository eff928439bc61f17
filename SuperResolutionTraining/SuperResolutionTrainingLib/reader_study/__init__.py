"""A blinded reader study: prepared by a coordinator who keeps the key, read by several readers, unblinded once at the end."""
