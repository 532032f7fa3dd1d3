"""A policy for clients of the Azure SDK that use AzureKeyCredential."""

from __future__ import annotations

import threading
from typing import Any

from azure.core.credentials import AzureKeyCredential
from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import HTTPPolicy

from .rotating_key import RotatingKey


class KeyPolicy(HTTPPolicy[Any, Any]):
    """Keeps a credential up to date, and repeats a request once after a 401.

    credential = AzureKeyCredential(key.value)
    client = ContentSafetyClient(
        endpoint, credential, per_call_policies=[KeyPolicy(key, credential)]
    )
    """

    def __init__(self, key: RotatingKey, credential: AzureKeyCredential) -> None:
        self._key, self._credential, self._lock = key, credential, threading.Lock()

    def send(self, request: PipelineRequest[Any]) -> PipelineResponse[Any, Any]:
        used = self._update()
        response = self.next.send(request)
        if response.http_response.status_code == 401 and self._key.replace(used) != used:
            self._update()
            response = self.next.send(request)
        return response

    def _update(self) -> str:
        """Put the key in use into the credential, and return it."""
        with self._lock:  # so that no thread puts an older key back
            self._credential.update(self._key.value)
            return self._credential.key
