"""From files as they landed to rows with line numbers; nothing is lost on the way."""
