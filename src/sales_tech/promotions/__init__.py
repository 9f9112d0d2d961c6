"""What each promotion really earned: estimation from frames, without lake and files."""
