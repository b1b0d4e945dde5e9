"""Fuzzing of what reads what others wrote: mutated inputs raise documented errors only (docs/reliability.md)."""
