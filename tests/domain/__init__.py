"""The rules, without any world around them."""
