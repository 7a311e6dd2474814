"""The style studio: previews, confusion between styles, and cards from elsewhere."""

from client.service import Service
from contracts.studio import (
    CardDraft,
    ConfusionRequest,
    PreviewRequest,
    StyleConfusion,
    StylePreview,
)

# A little longer than the service itself waits for its teacher.
PREVIEW_SECONDS = 75.0
CONFUSION_SECONDS = 330.0


class Studio:
    """The style studio of datagen.

    Args:
        service: datagen.
    """

    def __init__(self, service: Service) -> None:
        self._service = service

    def preview(self, request: PreviewRequest) -> StylePreview:
        """Return the teacher's reply in the style of a card, and the gates' verdicts on it."""
        return self._service.send(
            "POST",
            "/styles/preview",
            StylePreview,
            json=request.model_dump(mode="json"),
            timeout=PREVIEW_SECONDS,
        )

    def confusion(self, request: ConfusionRequest) -> StyleConfusion:
        """Return which styles a judge mixes up, and what would part them."""
        return self._service.send(
            "POST",
            "/styles/confusion",
            StyleConfusion,
            json=request.model_dump(mode="json"),
            timeout=CONFUSION_SECONDS,
        )

    def import_card(self, content: bytes) -> CardDraft:
        """Return the draft of a character card (PNG, JSON) or a persona pack (YAML, JSON)."""
        headers = {"Content-Type": "application/octet-stream"}
        return self._service.send(
            "POST", "/styles/import", CardDraft, content=content, headers=headers
        )
