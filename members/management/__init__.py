"""Commands about members."""
