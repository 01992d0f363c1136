"""Calendar sync over fakes: stories, replayed failures, crashes."""
