"""What must never happen: each test replays a failure that users of comparable products reported."""
