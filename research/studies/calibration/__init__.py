"""How often the verdict is wrong: false alarms without drift, power with it, and the size of each p-value."""
