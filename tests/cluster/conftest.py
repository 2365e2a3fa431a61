"""The fixtures of cluster_parts for all tests of this folder."""

from __future__ import annotations

from cluster_parts import head, s3

__all__ = ["head", "s3"]
