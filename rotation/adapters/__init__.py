"""The ports on Azure: SDK calls in, values of the domain out, SDK errors as errors of the domain.

Each module implements one protocol of ``ports`` with one SDK. ``pipeline`` and ``sdk_errors`` are
what they share; ``file_store`` and ``in_process_queue`` replace Azure Storage on a developer's
machine.

May import ``domain``, ``ports``, ``settings`` and ``runtime``; never ``engine`` or ``decisions``.
Start reading at ``pipeline.py``, then ``key_vault.py``.
"""
