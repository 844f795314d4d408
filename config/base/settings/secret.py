"""Keys of an installation: given by the environment, or made once for development."""

import base64
import secrets
from pathlib import Path


def kept_secret(path: Path, *, size_bytes: int = 32) -> str:
    """Return the secret in the file, making both on first use.

    Two processes may come at once: the file is linked into place whole and never replaced, so
    that both read the same secret.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
        draft.touch(mode=0o600)
        draft.write_text(base64.urlsafe_b64encode(secrets.token_bytes(size_bytes)).decode())
        try:
            path.hardlink_to(draft)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()
