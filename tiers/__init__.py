"""The ladder: qualification, standing and entitlements."""
