"""What the controller and the promotion function both need: settings, a durable document, telling people."""
