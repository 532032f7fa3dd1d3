"""Tools for operators: doctor, discovery and enrolment.

Everything here reads Azure with the identity of the caller and needs no deployed service. May
import ``engine``, ``ports``, ``settings``, ``domain`` and ``runtime``, never an Azure SDK. Start
reading at ``management``, then ``enrolment.plan``.
"""
