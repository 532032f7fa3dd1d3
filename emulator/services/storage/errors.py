"""Storage's errors: XML, with the code in a header too."""

from __future__ import annotations

from xml.sax.saxutils import escape

MESSAGES = {
    "AuthorizationPermissionMismatch": "This request is not authorized to perform this operation "
    "using this permission.",
    "BlobAlreadyExists": "The specified blob already exists.",
    "BlobNotFound": "The specified blob does not exist.",
    "ConditionNotMet": "The condition specified using HTTP conditional header(s) is not met.",
    "ContainerAlreadyExists": "The specified container already exists.",
    "ContainerNotFound": "The specified container does not exist.",
    "InvalidAuthenticationInfo": "Server failed to authenticate the request. Please refer to the "
    "information in the www-authenticate header.",
    "InvalidHeaderValue": "The value for one of the HTTP headers is not in the correct format.",
    "InvalidQueryParameterValue": "Value for one of the query parameters specified in the request "
    "URI is invalid.",
    "InvalidRange": "The range specified is invalid for the current size of the resource.",
    "InvalidUri": "The requested URI does not represent any resource on the server.",
    "InvalidXmlDocument": "XML specified is not syntactically valid.",
    "KeyBasedAuthenticationNotPermitted": "Key based authentication is not permitted on this "
    "storage account.",
    "LeaseAlreadyPresent": "There is already a lease present.",
    "LeaseIdMismatchWithBlobOperation": "The lease ID specified did not match the lease ID for the "
    "blob.",
    "LeaseIdMismatchWithLeaseOperation": "The lease ID specified did not match the lease ID for "
    "the blob.",
    "LeaseIdMissing": "There is currently a lease on the blob and no lease ID was specified in the "
    "request.",
    "LeaseIsBreakingAndCannotBeAcquired": "The lease ID matched, but the lease is currently in "
    "breaking state and cannot be acquired until it is broken.",
    "LeaseIsBreakingAndCannotBeChanged": "The lease ID matched, but the lease is currently in "
    "breaking state and cannot be changed.",
    "LeaseIsBrokenAndCannotBeRenewed": "The lease ID matched, but the lease has been broken "
    "explicitly and cannot be renewed.",
    "LeaseLost": "A lease ID was specified, but the lease for the blob has expired.",
    "LeaseNotPresentWithBlobOperation": "There is currently no lease on the blob.",
    "LeaseNotPresentWithLeaseOperation": "There is currently no lease on the blob.",
    "MetadataTooLarge": "The size of the specified metadata exceeds the maximum size permitted.",
    "MissingRequiredHeader": "An HTTP header that's mandatory for this request is not specified.",
    "MessageNotFound": "The specified message does not exist.",
    "NoAuthenticationInformation": "Server failed to authenticate the request. Please refer to the "
    "information in the www-authenticate header.",
    "OutOfRangeQueryParameterValue": "One of the query parameters specified in the request URI is "
    "outside the permissible range.",
    "PopReceiptMismatch": "The specified pop receipt did not match the pop receipt for a dequeued "
    "message.",
    "QueueNotFound": "The specified queue does not exist.",
    "RequestBodyTooLarge": "The request body is too large and exceeds the maximum permissible "
    "limit.",
}


class StorageError(Exception):
    """An error response: status and code."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(MESSAGES[code])
        self.status, self.code = status, code

    def body(self, request_id: str, time: str) -> bytes:
        text = escape(f"{self}\nRequestId:{request_id}\nTime:{time}")
        xml = '<?xml version="1.0" encoding="utf-8"?>'
        return f"{xml}<Error><Code>{self.code}</Code><Message>{text}</Message></Error>".encode()
