"""The server side of the demo shop: an integrator that uses nothing but the public interface (docs/shop.md)."""
