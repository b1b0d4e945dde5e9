"""How far projected accuracy is off, when it is refused, and which shift is named, where the truth is known."""
