from netc.hooks import hookimpl


@hookimpl
def netc_layer():
    return []
