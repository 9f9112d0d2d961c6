"""Bronze to silver to gold: generated and written SQL, rebuilt only where inputs changed."""
