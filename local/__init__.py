"""An AWS on the laptop for the demo and the end-to-end tests. Nothing outside this folder needs it."""
