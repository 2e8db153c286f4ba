"""What a person runs beside the deployment: grants of permissions, and a check of the result.

Runs from a checkout, on the machine of whoever holds the rights for it; it is no part of the
package that is deployed.
"""
