# Run by cpack between the installation into its folder and the making of the package.
set(root ${CPACK_TEMPORARY_DIRECTORY})
set(doc ${root}/usr/share/doc/pgtandem)

# -n: without a time, so that the same tree makes the same package.
function(compress)
  execute_process(COMMAND gzip -9n ${ARGN} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

file(GLOB pages ${root}/usr/share/man/man*/*)
compress(${pages})
file(RENAME ${doc}/CHANGELOG.md ${doc}/changelog)
file(TIMESTAMP ${doc}/changelog date "%a, %d %b %Y %H:%M:%S +0000" UTC)
file(WRITE ${doc}/changelog.Debian "pgtandem (${CPACK_PACKAGE_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE}) unstable; urgency=medium

  * Made by cpack from the source tree; changelog.gz says what is new.

 -- ${CPACK_PACKAGE_CONTACT}  ${date}
")
compress(${doc}/changelog ${doc}/changelog.Debian)

file(READ ${doc}/LICENSE license)
file(REMOVE ${doc}/LICENSE)
file(WRITE ${doc}/copyright "The licence of pgtandem, the PostgreSQL Licence:\n\n${license}")

file(MAKE_DIRECTORY ${root}/etc/pgtandem)
file(COPY_FILE ${doc}/examples/pgtandem.yaml ${root}/etc/pgtandem/pgtandem.yaml)
# Where Debian's zsh looks.
file(MAKE_DIRECTORY ${root}/usr/share/zsh/vendor-completions)
file(RENAME ${root}/usr/share/zsh/site-functions/_pgtandem ${root}/usr/share/zsh/vendor-completions/_pgtandem)
file(REMOVE_RECURSE ${root}/usr/share/zsh/site-functions)
file(CHMOD_RECURSE ${root}/etc ${root}/usr DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ
     GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
file(GLOB_RECURSE data ${root}/etc/* ${root}/usr/share/* ${root}/usr/lib/*)
file(CHMOD ${data} PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
