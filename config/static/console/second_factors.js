// Show the passkey that was just made.
document.addEventListener("otp_webauthn.register_complete", () => window.location.reload());
