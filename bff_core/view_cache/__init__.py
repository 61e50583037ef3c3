"""The view cache: composed answers, stored as bytes and served without composing them again."""
