"""The errors that the embedded AWS answers with."""


class ApiError(Exception):
    """An error answer in AWS's form: an error code, a message and an HTTP status."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


class ValidationError(ApiError):
    """The answer to a request that breaks a rule of the service: ``ValidationException``."""

    def __init__(self, message: str) -> None:
        super().__init__("ValidationException", message)
