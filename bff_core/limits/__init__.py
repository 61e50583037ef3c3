"""How often who has asked lately: in this process, or in Redis for many."""
