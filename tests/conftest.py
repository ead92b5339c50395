from hypothesis import settings

# A busy machine is slow at times; that is no failure of the code.
settings.register_profile("coursemill", deadline=None)
settings.load_profile("coursemill")
