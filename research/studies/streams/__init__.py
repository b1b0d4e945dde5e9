"""What the verdicts are worth on streams: real rows in time order, with labels that come late."""
