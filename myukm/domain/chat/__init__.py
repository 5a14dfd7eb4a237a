"""Chat of a UKM: messages, reactions, mentions, pins, reports, broadcasting."""
