"""Fitted planners as files: written without pickle, checked before they are read, registered with a card, tried against a champion."""
