"""Edge probing: what the layers know of entities, coreference and relations, beside control tasks."""
