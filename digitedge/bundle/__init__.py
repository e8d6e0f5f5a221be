"""The bundle: a folder of exported files and the manifest that states what they are and how good."""
