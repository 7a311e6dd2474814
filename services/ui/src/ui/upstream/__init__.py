"""The other services, as the page asks and tells them."""
