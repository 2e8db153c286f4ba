"""Azure DevOps: organisations, and service principals as their members.

Shapes are those of Microsoft's specification of Member Entitlement Management 7.2
(MicrosoftDocs/vsts-rest-api-specs) and of its examples. Texts and statuses of refusals other than
TF400813 are nowhere documented; they are marked *unconfirmed* where they are made.
"""
