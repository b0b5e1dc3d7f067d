"""Master keys that never leave a key-management service: AWS KMS, Google Cloud KMS, HashiCorp Vault (decision 0024).

The service wraps a fresh data key for each stored ring and Tink seals the ring with that data key (KMS envelope), so a
ring may grow beyond the 4,096 bytes that a service encrypts at once. Credentials come from where the service's own
library looks for them: environment, instance role, workload identity. The libraries are extras of the package
(``pip install 'ipse[aws-kms]'``), because nobody needs all three.

URIs: ``aws-kms://arn:aws:kms:REGION:ACCOUNT:key/ID``,
``gcp-kms://projects/P/locations/L/keyRings/R/cryptoKeys/K``, ``hcvault://MOUNT/keys/NAME`` with ``VAULT_ADDR`` and
``VAULT_TOKEN`` in the environment. AWS is tested against a server that speaks its protocol; the other two are wired as
Tink documents them and were not run.
"""

from __future__ import annotations

import os
from typing import Final

import tink
from tink import aead

from ipse.security.keyring import CannotOpen, KeyRingError

AWS: Final = "aws-kms://"
GOOGLE: Final = "gcp-kms://"
VAULT: Final = "hcvault://"
PREFIXES: Final = (AWS, GOOGLE, VAULT)


class KeyServiceUnavailable(KeyRingError):
    """The key-management service cannot be used: no library, no credentials, no answer, or it refuses."""

    code = "KEY_SERVICE_UNAVAILABLE"


class ManagedMasterKey:
    """A key of a key-management service, named by its URI."""

    def __init__(self, uri: str) -> None:
        self._uri = uri
        self._service = _service(uri)
        self._envelope = aead.KmsEnvelopeAead(aead.aead_key_templates.AES256_GCM, self._service)

    def wrap(self, plaintext: bytes, *, context: bytes) -> bytes:
        """Encrypt and authenticate ``plaintext``; ``context`` is authenticated only.

        Raises:
            KeyServiceUnavailable: see the class.
        """
        try:
            wrapped: bytes = self._envelope.encrypt(plaintext, context)
        except Exception as error:  # each service's library has errors of its own
            raise self._unavailable(error) from error
        return wrapped

    def unwrap(self, wrapped: bytes, *, context: bytes) -> bytes:
        """Return what was wrapped.

        Raises:
            CannotOpen: another key, another context, or changed bytes.
            KeyServiceUnavailable: see the class.
        """
        try:
            plaintext: bytes = self._envelope.decrypt(wrapped, context)
        except tink.TinkError as error:
            if self._answers():
                raise CannotOpen("The master key of the key-management service does not open this.") from error
            raise self._unavailable(error) from error
        except Exception as error:  # each service's library has errors of its own
            raise self._unavailable(error) from error
        return plaintext

    def _answers(self) -> bool:
        """Whether the service encrypts for us now: then what it refused to open is not its to open."""
        try:
            self._service.encrypt(b"ipse", b"")
        except Exception:  # any failure means no
            return False
        return True

    def _unavailable(self, error: Exception) -> KeyServiceUnavailable:
        return KeyServiceUnavailable(
            f"The key-management service does not serve {self._uri.partition('://')[0]}:// keys to this process "
            f"({type(error).__name__}). Check the URI, the credentials and the network."
        )


def _service(uri: str) -> aead.Aead:
    try:
        if uri.startswith(AWS):
            import boto3
            from tink.integration import awskms

            region = uri.removeprefix(AWS).split(":")[3]
            return awskms.new_client(boto3_client=boto3.client("kms", region_name=region), key_uri=uri).get_aead(uri)
        if uri.startswith(GOOGLE):
            from tink.integration import gcpkms

            return gcpkms.GcpKmsClient(uri, None).get_aead(uri)
        if uri.startswith(VAULT):
            import hvac
            from tink.integration import hcvault

            vault = hvac.Client(url=os.environ.get("VAULT_ADDR"), token=os.environ.get("VAULT_TOKEN"))
            return hcvault.new_aead(uri.removeprefix(VAULT), vault)
    except ImportError as error:
        extra = uri.partition("://")[0]
        raise KeyServiceUnavailable(
            f"The library for {extra}:// keys is not installed. Run: pip install 'ipse[{extra}]'"
        ) from error
    except Exception as error:  # a URI that the library refuses, credentials that are not there
        raise KeyServiceUnavailable(f"{uri} cannot be used: {error}") from error
    raise KeyServiceUnavailable(f"{uri} names no known key-management service; use {', '.join(PREFIXES)}.")
