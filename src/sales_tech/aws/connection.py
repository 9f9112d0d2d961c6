"""How this process reaches AWS: region, credentials, clients, and errors in words."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import boto3
from boto3.exceptions import Boto3Error
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from pyarrow.fs import S3FileSystem

from sales_tech.errors import LakeError, SettingsError

# Where boto3 found credentials that Arrow's own chain finds and renews as well. Others (a profile that
# assumes a role, single sign-on, `aws login`) are handed over as they are.
_FOUND_BY_ARROW = ("env", "shared-credentials-file", "container-role", "iam-role", "assume-role-with-web-identity")
_REMEDIES = {
    "AccessDenied": "the role in use may not do that; see docs/aws.md for what it needs",
    "AccessDeniedException": "the role in use may not do that; see docs/aws.md for what it needs",
    "ExpiredToken": "the credentials have expired; sign in again",
    "ExpiredTokenException": "the credentials have expired; sign in again",
    "NoSuchBucket": "check SALES_TECH_LAKE and SALES_TECH_LANDING",
}
_LATER = "AWS could not serve it although it was asked several times; run again later"

# How Arrow calls the same in the text of its errors.
_ARROWS_WORDS = {
    **{name: remedy for name, remedy in _REMEDIES.items() if name.startswith("Expired")},
    "ACCESS_DENIED": _REMEDIES["AccessDenied"],
    **dict.fromkeys(("SLOW_DOWN", "THROTTLING", "SERVICE_UNAVAILABLE", "INTERNAL_FAILURE", "NETWORK_CONNECTION", "HTTP status 5"), _LATER),
}


class Connection:
    """One account and region, as the environment names them."""

    def __init__(self) -> None:
        with _set_up():
            region = os.environ.get("AWS_REGION") or boto3.Session().region_name
            if region is None:
                raise SettingsError("no AWS region is set; expected AWS_REGION, AWS_DEFAULT_REGION or a profile with a region")
            self.region = region
            self.session = boto3.Session(region_name=region)
            found = self.session.get_credentials()
            if found is None:
                raise SettingsError(
                    "no AWS credentials were found; expected a role, a profile (AWS_PROFILE) or AWS_ACCESS_KEY_ID and its secret"
                )
            self.renews_itself = found.method in _FOUND_BY_ARROW
            self._handed = None if self.renews_itself else found.get_frozen_credentials()
        self._clients: dict[str, Any] = {}
        self._one_at_a_time = threading.Lock()

    def client(self, service: str) -> Any:
        """boto3's client of a service, one for all threads."""
        with self._one_at_a_time:  # a session is not for several threads, its clients are
            if service not in self._clients:
                self._clients[service] = self.session.client(service, config=Config(retries={"mode": "standard"}))  # type: ignore[call-overload]
            return self._clients[service]

    @cached_property
    def arrow(self) -> S3FileSystem:
        """S3 as Arrow reads and writes it."""
        given = {"endpoint_override": self._endpoint}
        if self._handed:
            given |= {"access_key": self._handed.access_key, "secret_key": self._handed.secret_key, "session_token": self._handed.token}
        # Opened late, so that a small file is one request and not three; that it cannot be written is then told where it is closed.
        return S3FileSystem(region=self.region, allow_delayed_open=True, **{key: value for key, value in given.items() if value})

    @property
    def iceberg(self) -> dict[str, str]:
        """The same as properties for pyiceberg's files."""
        given = {"s3.region": self.region, "s3.endpoint": self._endpoint}
        if self._handed:
            given |= {
                "s3.access-key-id": self._handed.access_key,
                "s3.secret-access-key": self._handed.secret_key,
                "s3.session-token": self._handed.token,
            }
        return {key: value for key, value in given.items() if value}

    @property
    def _endpoint(self) -> str | None:
        # boto3 reads these by itself; Arrow and pyiceberg are told.
        return os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")


@contextmanager
def _set_up() -> Iterator[None]:
    """SettingsError where a profile or its credentials cannot be used: it is not there, misses something, or has to be signed in to."""
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise SettingsError(
            f"AWS cannot be used as it is set up: {str(error).strip(' .:')}; expected a profile (AWS_PROFILE) that exists and has all it "
            "needs, and a sign-in that has not expired (`aws sso login` or `aws login` signs in again)"
        ) from error


@contextmanager
def in_words(what: str) -> Iterator[None]:
    """Turn the failure of a service into a LakeError that says what was tried, what AWS said and what to do."""
    try:
        yield
    except ClientError as error:
        raise LakeError(_refusal(what, error)) from error
    except Boto3Error as error:  # whole files: what S3 refused is wrapped, or the last of several tries broke off
        refused = error.__context__
        raise LakeError(_refusal(what, refused) if isinstance(refused, ClientError) else f"{what} failed: {error}; {_LATER}") from error
    except FileNotFoundError:
        raise
    except (BotoCoreError, OSError) as error:  # Arrow's errors are OSError, with AWS' own words
        said = (remedy for words, remedy in _ARROWS_WORDS.items() if words in str(error))
        raise LakeError("; ".join((f"{what} failed: {str(error).rstrip('. ')}", *list(said)[:1]))) from error


def _refusal(what: str, error: ClientError) -> str:
    code, message = code_of(error), error.response.get("Error", {}).get("Message", "")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    remedy = _REMEDIES.get(code) or (_LATER if status >= 500 or status == 429 or "Throttl" in code or code == "SlowDown" else "")
    return "; ".join(filter(None, (f"{what} failed: {code}: {message}".rstrip(": "), remedy)))


def code_of(error: ClientError) -> str:
    """The error code of an answer, such as NoSuchKey."""
    return str(error.response.get("Error", {}).get("Code", ""))


def bucket_and_key(url: str) -> tuple[str, str]:
    """The bucket and the key (without a slash at its ends) of an s3:// address."""
    bucket, _, key = url.removeprefix("s3://").partition("/")
    return bucket, key.strip("/")
