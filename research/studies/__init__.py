"""Studies of the product's own statistics: measured, seeded, re-runnable; not shipped."""
