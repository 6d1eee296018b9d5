"""How much longer than on a machine of its own a test waits for what has to come.

Limits of waits are written for a quiet machine. Where other tests run beside, a second of work may
take several; and a wait that ends too soon says nothing about us. What a promise allows is
measured, and asserted, by those who promise.
"""

PATIENCE = 3
