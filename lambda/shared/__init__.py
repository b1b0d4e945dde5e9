"""What both functions of the loop share: AWS clients, settings, stored state, notifications, parts of events.

Standard library, boto3 and the contract only.
"""
