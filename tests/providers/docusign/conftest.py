"""The same running DocuSign that the simulator's own tests use."""

from tests.local.docusign.conftest import running_docusign, world

__all__ = ["running_docusign", "world"]
