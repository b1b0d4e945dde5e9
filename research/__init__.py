"""What measures the product: studies and benchmarks. No part of it."""
