"""The ports on Azure: SDK calls in, plain data out, SDK exceptions as ``errors.py`` names them."""
