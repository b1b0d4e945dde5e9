"""The one error that the local SageMaker answers with."""


class ApiError(Exception):
    """A refusal in AWS's form: an error code, a message and an HTTP status."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.status = status
