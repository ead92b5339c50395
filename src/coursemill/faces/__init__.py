"""Layer 4: what people and machines see; only here is anything printed."""
