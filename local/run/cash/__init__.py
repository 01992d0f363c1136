"""The cash scene: two organizations, each from a quote to its payment, over the product's own functions."""
