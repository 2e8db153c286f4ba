"""What the vendors' guides lead to, click by click, to be compared with what Keyturn makes."""
